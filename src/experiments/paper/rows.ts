/**
 * The rows that the paper's analyses read: what was predicted for an image, what was detected in it and how much it mattered, and what
 * people said about it. Pure data: a run's ledger, the published code's tables, and annotation files all give them.
 *
 * @module
 */

/** The prediction for one image. */
export interface PaperPrediction {
  /** The image's name: the path by which predictions, detections and annotations are joined. */
  readonly image: string;
  /** The predicted emotion. */
  readonly emotion: string;
  /** Its probability, 0..1. */
  readonly confidence: number;
  /** The probability of every class, in the classifier's order. */
  readonly probabilities?: ArrayLike<number>;
  /** The classifier's valence, on the scale of its head (EmoNet: about 1..9); absent where it has no such head. */
  readonly valence?: number;
  /** The classifier's arousal, likewise. */
  readonly arousal?: number;
}

/** One object found in an image, with its importance under one method. */
export interface PaperDetection {
  readonly image: string;
  /** The emotion predicted for the image. */
  readonly emotion: string;
  /** That emotion's probability, 0..1. */
  readonly emotionConfidence: number;
  /** The object's label. */
  readonly object: string;
  /** The detector's confidence, 0..1. */
  readonly objectConfidence: number;
  /** Mean of the method's map over the box, 0..1; NaN where the box has no pixel in the frame. */
  readonly importance: number;
  /** The box, in the pixels of the frame in which it was scored. */
  readonly box: PaperBox;
}

/** A box by its top left corner and its size. */
export interface PaperBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** What one annotator said about one image. An image may have several. */
export interface Annotation {
  /** The image's name, as in predictions and detections. */
  readonly image: string;
  /** The emotion chosen. */
  readonly emotion: string;
  /** FindingEmo: −3..3. */
  readonly valence: number;
  /** FindingEmo: 0..6. */
  readonly arousal: number;
  /** How hard the annotator found it to decide; FindingEmo: 0..6. */
  readonly ambiguity: number;
}
