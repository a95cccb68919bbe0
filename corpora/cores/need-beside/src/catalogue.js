'use strict';

const catalogue = new Map();
catalogue.limit = 60_000;

for (let i = 0; i < catalogue.limit; i++) {
  catalogue.set(`p${i}`, {
    id: i,
    label: `product ${i * 7} from the northern warehouse`,
    status: Buffer.from('available in all of our shops today').toString(),
  });
}

exports.catalogue = catalogue;
