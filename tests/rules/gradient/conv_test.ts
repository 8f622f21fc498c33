import { checkRules } from "../check_rule.ts";
import { CASES } from "./conv_cases.ts";

await checkRules("convolutions", CASES);
