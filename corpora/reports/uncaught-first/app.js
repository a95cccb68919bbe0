'use strict';
// An error of the application's own, with properties and a cause, thrown from a timer.
class PriceError extends Error {
    constructor(sku, cause) {
        super('no price for ' + sku);
        this.name = 'PriceError';
        this.code = 'E_PRICE';
        this.sku = sku;
        this.detail = ['tier', 2];
        if (cause) this.cause = cause;
    }
}
function lookUp(sku) {
    throw new PriceError(sku, new Error('connection reset'));
}
function refresh() {
    return ['A-1', 'A-2'].map((sku) => lookUp(sku));
}
setTimeout(refresh, 5);
