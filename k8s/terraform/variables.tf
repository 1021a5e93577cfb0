variable "cluster_name" {
  description = "The EKS cluster. It must have an OIDC provider in IAM."
  type        = string

  validation {
    condition     = can(regex("^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$", var.cluster_name))
    error_message = "cluster_name is a name of EKS: letters, digits, - and _, at most 100, the first no - or _."
  }
}

variable "namespace" {
  description = "The ledger's namespace; it is created."
  type        = string
  default     = "connection-ledger"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace)) && !startswith(var.namespace, "kube-")
    error_message = "namespace is a DNS label: small letters, digits and -, at most 63; not one of kube-."
  }
}

variable "image" {
  description = "The ledger's image, as k8s/image built it and pushed to where the cluster can pull it."
  type = object({
    repository = string
    tag        = string
  })

  validation {
    condition     = !can(regex("[:@]", basename(var.image.repository))) && can(regex("^[\\w][\\w.-]{0,127}$", var.image.tag))
    error_message = "image has the repository without a tag, and a tag of letters, digits, _, . and -."
  }
}

variable "values" {
  description = "YAML documents over values-eks.yaml, the last one wins: Kafka, the host, the certificate, the pools."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for document in var.values : can(keys(yamldecode(document)))])
    error_message = "values are YAML documents, each a mapping of the chart's keys."
  }
}

variable "ledger_policy_arns" {
  description = "IAM policies for the ledger's role, those of its Kafka on MSK for example; by name, which can be any."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for arn in values(var.ledger_policy_arns) : can(regex("^arn:[^:]+:iam::[^:]*:policy/", arn))])
    error_message = "ledger_policy_arns are ARNs of IAM policies: arn:aws:iam::ACCOUNT:policy/NAME."
  }
}

variable "load_balancer_controller" {
  description = "The AWS Load Balancer Controller, which makes the ALB of the chart's Ingress; null where the cluster has it. policy_arn: the IAM policy that AWS publishes with that version."
  type = object({
    policy_arn    = string
    chart_version = string
  })
  default = null

  validation {
    condition     = var.load_balancer_controller == null ? true : can(regex("^arn:[^:]+:iam::[^:]*:policy/", var.load_balancer_controller.policy_arn))
    error_message = "load_balancer_controller.policy_arn is the ARN of an IAM policy: arn:aws:iam::ACCOUNT:policy/NAME."
  }

  validation {
    condition     = var.load_balancer_controller == null ? true : can(regex("^\\d+\\.\\d+\\.\\d+$", var.load_balancer_controller.chart_version))
    error_message = "load_balancer_controller.chart_version is one version of its chart, 1.13.0 for example."
  }
}

variable "tags" {
  description = "Of all that is made in AWS."
  type        = map(string)
  default     = {}
}
