// `make asyncapi`: reads a document with the official parser of AsyncAPI; an error or a warning but "there is a newer version" fails.
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");

async function main(path) {
  const { document, diagnostics } = await new Parser().parse(readFileSync(path, "utf8"));
  const troubles = diagnostics.filter((said) => said.severity <= 1 || said.code !== "asyncapi-latest-version");
  for (const said of troubles) console.error(`${said.code} at ${said.path.join(".")}: ${said.message}`);
  if (!document || troubles.length) process.exit(1);
  console.log(`${path}: AsyncAPI ${document.version()}, ${document.operations().length} operations, ${document.messages().length} messages`);
}

main(process.argv[2]);
