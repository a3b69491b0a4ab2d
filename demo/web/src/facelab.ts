/** The entry of the tools' bundle: importing it defines the custom elements. */

import "./facelab.css";
import "./stray-drops";

import { EmbedderChoice } from "./embedder-choice";
import { DistanceGauge } from "./gauge";
import { EmbeddingStrips } from "./strip";
import { FaceVerify } from "./face-verify";
import { LoadProgress } from "./progress";
import { PhotoSlot } from "./photo-slot";

customElements.define("embedder-choice", EmbedderChoice);
customElements.define("distance-gauge", DistanceGauge);
customElements.define("embedding-strips", EmbeddingStrips);
customElements.define("load-progress", LoadProgress);
customElements.define("photo-slot", PhotoSlot);
customElements.define("face-verify", FaceVerify);
