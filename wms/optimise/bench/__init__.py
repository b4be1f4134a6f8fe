"""Published and private problem files solved and timed, so that every figure we claim can be measured again."""
