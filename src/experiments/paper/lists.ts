/**
 * The names that the published analyses go by.
 *
 * @module
 */

/** The 24 objects that the paper relates to predicted emotions, in its order (Open Images classes). */
export const OBJECTS_FOR_PREDICTIONS: readonly string[] = [
  "Person",
  "Human face",
  "Human eye",
  "Human nose",
  "Human mouth",
  "Human head",
  "Clothing",
  "Sports equipment",
  "Footwear",
  "Plant",
  "Flower",
  "Animal",
  "Food",
  "Drink",
  "Furniture",
  "Weapon",
  "Wheel",
  "Building",
  "Personal Care",
  "Vehicle",
  "Tableware",
  "Kitchenware",
  "Pillow",
  "Jeans",
];

/** The 22 objects that it relates to annotated emotions. */
export const OBJECTS_FOR_ANNOTATIONS: readonly string[] = [
  "Person",
  "Human face",
  "Human eye",
  "Human nose",
  "Human mouth",
  "Human head",
  "Clothing",
  "Sports equipment",
  "Footwear",
  "Plant",
  "Flower",
  "Tree",
  "Animal",
  "Food",
  "Drink",
  "Furniture",
  "Weapon",
  "Wheel",
  "Building",
  "Personal Care",
  "Girl",
  "Vehicle",
];

/**
 * The emotions of FindingEmo's annotations that the published code knows, in its spelling: "Annotance", "Digust" and "Ecstast" find
 * nothing where the annotations spell them otherwise, and of Plutchik's 24 emotions Sadness is missing. `analyses` says which annotated
 * emotions are in no list.
 */
export const FINDINGEMO_EMOTIONS: readonly string[] = [
  "Acceptance",
  "Admiration",
  "Amazement",
  "Anger",
  "Annotance",
  "Anticipation",
  "Apprehension",
  "Boredom",
  "Digust",
  "Distraction",
  "Ecstast",
  "Fear",
  "Grief",
  "Interest",
  "Joy",
  "Loathing",
  "Pensiveness",
  "Rage",
  "Serenity",
  "Surprise",
  "Terror",
  "Trust",
  "Vigilance",
];
