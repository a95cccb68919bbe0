// Keeps a reference to each object it is given and never lets go.
#include <node_api.h>

static napi_value Remember(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value object;
  napi_ref reference;
  napi_get_cb_info(env, info, &count, &object, nullptr, nullptr);
  napi_create_reference(env, object, 1, &reference);
  return nullptr;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "remember", NAPI_AUTO_LENGTH, Remember, nullptr, &function);
  napi_set_named_property(env, exports, "remember", function);
  return exports;
}
