'use strict';
// A module that is not in the image.
require('./src/prices');
