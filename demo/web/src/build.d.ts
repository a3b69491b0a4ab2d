/** Which version of the engine and its page this is: see vite.config.ts. */
declare const BUILD: string;
