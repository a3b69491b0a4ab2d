/** Which version of these scripts this is: see vite.config.ts. */
declare const BUILD: string;
