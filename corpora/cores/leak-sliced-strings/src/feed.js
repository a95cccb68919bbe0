'use strict';

// A price list as it comes over the wire: about 160 KB of text.
function download(supplier, catalog) {
  const lines = [`${supplier};list of ${catalog.size} articles;EUR`];
  for (let i = 0; i < catalog.size; i++) lines.push(`${catalog.at(i).sku};${catalog.at(i).price.toFixed(2)};${i % 2 ? 'in stock' : 'in two weeks'}`);
  return Buffer.from(lines.join('\n'), 'latin1');
}

module.exports = { download };
