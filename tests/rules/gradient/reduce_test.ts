import { checkRules } from "../check_rule.ts";
import { CASES } from "./reduce_cases.ts";

await checkRules("reductions", CASES);
