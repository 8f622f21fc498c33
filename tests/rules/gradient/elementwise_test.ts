import { checkRules } from "../check_rule.ts";
import { CASES } from "./elementwise_cases.ts";

await checkRules("arithmetic and selection", CASES);
