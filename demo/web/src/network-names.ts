/** Names of embedders as the page shows them. Unknown ones appear under their name in models.json. */
const WORDS: Record<string, string> = { "mobilefacenet-v1": "MobileFaceNet", "dlib-resnet-v1": "dlib’s ResNet" };

export const networkName = (embedder: string): string => WORDS[embedder] ?? embedder;
