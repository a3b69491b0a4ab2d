/** Embedders as the page speaks of them; one that this list does not know goes by its name in models.json. */
const WORDS: Record<string, string> = { "mobilefacenet-v1": "MobileFaceNet", "dlib-resnet-v1": "dlib’s ResNet" };

export const networkName = (embedder: string): string => WORDS[embedder] ?? embedder;
