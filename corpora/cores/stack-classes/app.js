'use strict';

const { Account } = require('./account');

Account.open('savings');
