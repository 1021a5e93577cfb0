// Package answer makes ext_authz answers of the ledger's size.
package answer

import (
	"encoding/base64"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/structpb"
)

// Allowed places a connection on pod, ip:port; empty for wherever Envoy likes.
func Allowed(pool, pod, id string) *auth.CheckResponse {
	ok := &auth.OkHttpResponse{}
	if pod != "" {
		ok.Headers = []*core.HeaderValueOption{
			header("x-ledger-pod", base64.StdEncoding.EncodeToString([]byte(pod))),
		}
	}
	return &auth.CheckResponse{
		Status:       &status.Status{Code: int32(codes.OK)},
		HttpResponse: &auth.CheckResponse_OkResponse{OkResponse: ok},
		DynamicMetadata: &structpb.Struct{Fields: map[string]*structpb.Value{
			"pool":        structpb.NewStringValue(pool),
			"pod":         structpb.NewStringValue(pod),
			"reservation": structpb.NewStringValue(id),
		}},
	}
}

// Rejected turns a connection away.
func Rejected(pool, reason string) *auth.CheckResponse {
	code := typev3.StatusCode_ServiceUnavailable
	if reason == "rate_limited" {
		code = typev3.StatusCode_TooManyRequests
	}
	return &auth.CheckResponse{
		Status: &status.Status{Code: int32(codes.PermissionDenied)},
		HttpResponse: &auth.CheckResponse_DeniedResponse{DeniedResponse: &auth.DeniedHttpResponse{
			Status: &typev3.HttpStatus{Code: code},
		}},
		DynamicMetadata: &structpb.Struct{Fields: map[string]*structpb.Value{
			"pool":   structpb.NewStringValue(pool),
			"reason": structpb.NewStringValue(reason),
		}},
	}
}

func header(name, value string) *core.HeaderValueOption {
	return &core.HeaderValueOption{Header: &core.HeaderValue{Key: name, Value: value}}
}
