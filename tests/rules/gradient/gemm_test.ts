import { checkRules } from "../check_rule.ts";
import { CASES } from "./gemm_cases.ts";

await checkRules("matrix products", CASES);
