'use strict';

// memlab.js PACKAGES FILE... - loads heap snapshots with memlab and finds the dominators. PACKAGES: folder with node_modules
// (@memlab/core). Prints for each file a line of JSON: nodes, edges, size of all nodes, retained: [id, name, bytes], largest
// first. Any error ends it with exit code 1.
const [packages, ...files] = process.argv.slice(2);
const { utils, analysis, config } = require(require.resolve('@memlab/core', { paths: [packages] }));

function describe(snapshot) {
  const all = [];
  let size = 0;
  snapshot.nodes.forEach((node) => {
    size += node.self_size;
    all.push([node.id, node.name.slice(0, 60), node.retainedSize]);
  });
  all.sort((a, b) => b[2] - a[2]);
  return { nodes: snapshot.nodes.length, edges: snapshot.edges.length, size, retained: all.slice(0, 50) };
}

async function main() {
  config.muteConsole = true;
  for (const file of files) {
    const snapshot = await utils.getSnapshotFromFile(file, { buildNodeIdIndex: true, verbose: false });
    analysis.preparePathFinder(snapshot);
    console.log(JSON.stringify(describe(snapshot)));
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
