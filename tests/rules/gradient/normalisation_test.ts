import { checkRules } from "../check_rule.ts";
import { CASES } from "./normalisation_cases.ts";

await checkRules("normalisations", CASES);
