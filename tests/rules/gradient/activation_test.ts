import { checkRules } from "../check_rule.ts";
import { CASES } from "./activation_cases.ts";

await checkRules("functions of one element", CASES);
