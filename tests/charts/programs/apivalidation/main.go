// Reads manifests and says what the API server of Kubernetes would say of each: its decoding, defaults and validation, and the pod security
// standard "restricted". One line an object: `ok KIND NAME`, `skipped KIND NAME` for kinds of others, or what is wrong. Exit status 1
// when something is.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	podapi "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/apps"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	autoscalingvalidation "k8s.io/kubernetes/pkg/apis/autoscaling/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/networking"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	networkingvalidation "k8s.io/kubernetes/pkg/apis/networking/validation"
	"k8s.io/kubernetes/pkg/apis/policy"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	policyvalidation "k8s.io/kubernetes/pkg/apis/policy/validation"
	securityapi "k8s.io/pod-security-admission/api"
	security "k8s.io/pod-security-admission/policy"
)

// validate says what is wrong with an object that has its defaults.
func validate(object runtime.Object) field.ErrorList {
	switch its := object.(type) {
	case *apps.Deployment:
		return appsvalidation.ValidateDeployment(its, podapi.GetValidationOptionsFromPodTemplate(&its.Spec.Template, nil))
	case *apps.StatefulSet:
		return appsvalidation.ValidateStatefulSet(its, podapi.GetValidationOptionsFromPodTemplate(&its.Spec.Template, nil))
	case *core.Service:
		allocate(its)
		return corevalidation.ValidateServiceCreate(its)
	case *core.ConfigMap:
		return corevalidation.ValidateConfigMap(its)
	case *core.ServiceAccount:
		return corevalidation.ValidateServiceAccount(its)
	case *autoscaling.HorizontalPodAutoscaler:
		options := autoscalingvalidation.HorizontalPodAutoscalerSpecValidationOptions{MinReplicasLowerBound: 1}
		return autoscalingvalidation.ValidateHorizontalPodAutoscaler(its, options)
	case *networking.NetworkPolicy:
		return networkingvalidation.ValidateNetworkPolicy(its, networkingvalidation.NetworkPolicyValidationOptions{})
	case *policy.PodDisruptionBudget:
		return policyvalidation.ValidatePodDisruptionBudget(its, policyvalidation.PodDisruptionBudgetValidationOptions{})
	}
	return field.ErrorList{field.InternalError(nil, errors.New("this program does not know how to validate it"))}
}

// allocate fills in what the API server chooses before it validates.
func allocate(service *core.Service) {
	if service.Spec.ClusterIP != "" {
		service.Spec.ClusterIPs = []string{service.Spec.ClusterIP}
	}
	if service.Spec.ExternalTrafficPolicy == core.ServiceExternalTrafficPolicyLocal && service.Spec.Type == core.ServiceTypeLoadBalancer {
		service.Spec.HealthCheckNodePort = 30000
	}
}

// restricted says why pods of the object would not be let into a namespace that enforces "restricted"; empty: they would.
func restricted(evaluator security.Evaluator, object runtime.Object) string {
	var template *corev1.PodTemplateSpec
	switch its := object.(type) {
	case *appsv1.Deployment:
		template = &its.Spec.Template
	case *appsv1.StatefulSet:
		template = &its.Spec.Template
	default:
		return ""
	}
	level := securityapi.LevelVersion{Level: securityapi.LevelRestricted, Version: securityapi.LatestVersion()}
	result := security.AggregateCheckResults(evaluator.EvaluatePod(level, &template.ObjectMeta, &template.Spec))
	if result.Allowed {
		return ""
	}
	return result.ForbiddenDetail()
}

// check prints one line, or one for each fault. False: there are some.
func check(evaluator security.Evaluator, document []byte) (bool, error) {
	var head unstructured.Unstructured
	if err := yaml.Unmarshal(document, &head); err != nil {
		return false, err
	}
	if len(head.Object) == 0 {
		return true, nil
	}
	name := head.GetKind() + " " + head.GetName()
	versioned, _, err := legacyscheme.Codecs.UniversalDeserializer().Decode(document, nil, nil)
	if runtime.IsNotRegisteredError(err) {
		fmt.Println("skipped", name)
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	object, _, err := legacyscheme.Codecs.UniversalDecoder().Decode(document, nil, nil)
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	faults := []string{}
	for _, fault := range validate(object) {
		faults = append(faults, fault.Error())
	}
	if why := restricted(evaluator, versioned); why != "" {
		faults = append(faults, "not restricted: "+why)
	}
	if len(faults) == 0 {
		fmt.Println("ok", name)
	}
	for _, fault := range faults {
		fmt.Printf("%s: %s\n", name, fault)
	}
	return len(faults) == 0, nil
}

func run() (bool, error) {
	evaluator, err := security.NewEvaluator(security.DefaultChecks())
	if err != nil {
		return false, err
	}
	good := true
	documents := yaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	for {
		document, err := documents.Read()
		if err == io.EOF {
			return good, nil
		}
		if err != nil {
			return false, err
		}
		well, err := check(evaluator, document)
		if err != nil {
			return false, err
		}
		good = good && well
	}
}

func main() {
	good, err := run()
	if err != nil {
		fmt.Println(err)
	}
	if err != nil || !good {
		os.Exit(1)
	}
}
