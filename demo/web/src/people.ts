/** The entry for the roll call, the album and the live camera. */

import "./stray-drops";

import { LoadProgress } from "./progress";
import { LiveCamera } from "./people/live-camera";
import { PhotoAlbum } from "./people/photo-album";
import { RollCall } from "./people/roll-call";

if (!customElements.get("load-progress")) customElements.define("load-progress", LoadProgress);
customElements.define("roll-call", RollCall);
customElements.define("photo-album", PhotoAlbum);
customElements.define("live-camera", LiveCamera);
