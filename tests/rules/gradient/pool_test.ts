import { checkRules } from "../check_rule.ts";
import { CASES } from "./pool_cases.ts";

await checkRules("pooling", CASES);
