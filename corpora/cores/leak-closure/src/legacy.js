'use strict';

class LegacyCustomer {
  constructor(number) {
    this.number = number;
    this.name = `Customer ${number}`;
    this.street = `Street ${number % 900}, No ${number % 70}`;
    this.orders = [number * 3, number * 3 + 1];
    this.flags = { newsletter: number % 2 === 0, blocked: false };
  }
}

function readLegacyCustomers() {
  return Array.from({ length: 50_000 }, (_, number) => new LegacyCustomer(number));
}

module.exports = { readLegacyCustomers };
