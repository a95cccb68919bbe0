'use strict';

exports.Account = class Account {
  #cardNumber;

  constructor(id) {
    this.id = id;
    this.owner = `KONTENT331 ${id}`;
    this.password = `SEKRETH332 ${id}`;
    this.apiKey = `SEKRETH333-${id}`;
    this.address = '10.77.3.34';
    this.token = `eyJhbGciOiJIUzI1NiJ9.eyJSEKRETH334${id}x.SEKRETH335`;
    this['KONTENT336 of a property'] = id;
    this.#cardNumber = `KONTENT337 ${id}`;
  }

  card() { return this.#cardNumber; }
};
