package main

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/pithecene-io/lode/lode"
	lodes3 "github.com/pithecene-io/lode/lode/s3"
)

// bucketSpec says which bucket a dataset is in, in place of a directory.
type bucketSpec struct {
	Endpoint  string `json:"endpoint"`
	Bucket    string `json:"bucket"`
	Prefix    string `json:"prefix,omitempty"`
	Region    string `json:"region"`
	AccessKey string `json:"accessKey"`
	SecretKey string `json:"secretKey"`
}

// bucketStore opens the library's own S3 adapter, with the SDK's defaults.
func bucketStore(spec bucketSpec) (lode.Store, error) {
	client := awss3.New(awss3.Options{
		Region:       spec.Region,
		BaseEndpoint: aws.String(spec.Endpoint),
		UsePathStyle: true,
		Credentials:  credentials.NewStaticCredentialsProvider(spec.AccessKey, spec.SecretKey, ""),
	})
	return lodes3.New(client, lodes3.Config{Bucket: spec.Bucket, Prefix: spec.Prefix})
}
