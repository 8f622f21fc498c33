import { checkRules } from "../check_rule.ts";
import { CASES } from "./shape_cases.ts";

await checkRules("rearrangement", CASES);
