'use strict';

const { catalog } = require('./platform');

const STATES = ['announced by the sender, not yet handed over to the carrier', 'in transit between two sorting centres of the carrier',
  'in delivery, the recipient can expect the parcel today', 'could not be delivered, waits for the recipient in a branch'];
const TERMS = 'Insured up to 500 EUR. Delivery on working days between 9 and 18 h. A second attempt is made on the next working day, then the parcel waits for seven days in the nearest branch.';

// Pages of 500 parcels as JSON, as the carriers send them: with the same long texts in each parcel.
async function* parcelPages(count) {
  for (let from = 0; from < count; from += 500) {
    const parcels = [];
    for (let n = from; n < from + 500; n++) {
      parcels.push({ number: n, sku: catalog.at(n).sku, carrier: n % 3 ? 'DHL' : 'UPS', state: STATES[n % STATES.length], terms: TERMS });
    }
    yield JSON.stringify(parcels);
  }
}

module.exports = { parcelPages };
