import { checkRules } from "../check_rule.ts";
import { CASES } from "./resize_cases.ts";

await checkRules("resizing", CASES);
