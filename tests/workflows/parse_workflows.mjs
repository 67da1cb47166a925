// Reads workflows with GitHub's own parser; prints what it has to say about each, as JSON.
import { readFileSync } from "node:fs";
import { NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";

const found = {};
for (const path of process.argv.slice(2)) {
  const file = { name: path, content: readFileSync(path, "utf-8") };
  const { context } = parseWorkflow(file, new NoOperationTraceWriter());
  found[path] = context.errors.getErrors().map((error) => error.message);
}
process.stdout.write(JSON.stringify(found));
