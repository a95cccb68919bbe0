// A context whose global object is detached, as an embedder does when a page or a tenant is closed.
#include <node.h>

static void Close(const v8::FunctionCallbackInfo<v8::Value>& info) {
  v8::Isolate* isolate = info.GetIsolate();
  v8::Local<v8::Context> context = v8::Context::New(isolate);
  v8::Local<v8::Value> left = v8::Object::New(isolate);
  {
    v8::Context::Scope scope(context);
    left = v8::Script::Compile(context, v8::String::NewFromUtf8Literal(isolate, "(function () { return tenant; })"))
               .ToLocalChecked()->Run(context).ToLocalChecked();
  }
  context->DetachGlobal();
  info.GetReturnValue().Set(left);
}

NODE_MODULE_INIT() { NODE_SET_METHOD(exports, "openAndClose", Close); }
