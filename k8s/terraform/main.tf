data "aws_eks_cluster" "this" {
  name = var.cluster_name
}

data "aws_iam_openid_connect_provider" "this" {
  url = data.aws_eks_cluster.this.identity[0].oidc[0].issuer
}

locals {
  issuer = trimprefix(data.aws_eks_cluster.this.identity[0].oidc[0].issuer, "https://")
  # Who may take which role: the names of ServiceAccounts.
  service_accounts = merge(
    { ledger = "${var.namespace}:ledger" },
    var.load_balancer_controller == null ? {} : { load-balancer-controller = "kube-system:aws-load-balancer-controller" }
  )
}

# IRSA: a role that one ServiceAccount of this cluster may take, and nobody else.
data "aws_iam_policy_document" "trust" {
  for_each = local.service_accounts

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [data.aws_iam_openid_connect_provider.this.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = ["system:serviceaccount:${each.value}"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.service_accounts

  # A prefix is at most 38 characters, a name of EKS up to 100.
  name_prefix        = "${substr(var.cluster_name, 0, 12)}-${each.key}-"
  description        = "Of the ServiceAccount ${each.value} in ${var.cluster_name}"
  assume_role_policy = data.aws_iam_policy_document.trust[each.key].json
  tags               = var.tags
}

resource "aws_iam_role_policy_attachment" "ledger" {
  for_each = var.ledger_policy_arns

  role       = aws_iam_role.this["ledger"].name
  policy_arn = each.value
}

resource "aws_iam_role_policy_attachment" "load_balancer_controller" {
  count = var.load_balancer_controller == null ? 0 : 1

  role       = aws_iam_role.this["load-balancer-controller"].name
  policy_arn = var.load_balancer_controller.policy_arn
}

resource "helm_release" "load_balancer_controller" {
  count = var.load_balancer_controller == null ? 0 : 1

  name       = "aws-load-balancer-controller"
  namespace  = "kube-system"
  repository = "https://aws.github.io/eks-charts"
  chart      = "aws-load-balancer-controller"
  version    = var.load_balancer_controller.chart_version

  values = [yamlencode({
    clusterName = var.cluster_name
    # Pods cannot ask the node's metadata service for these where its hop limit is 1.
    region = split(":", data.aws_eks_cluster.this.arn)[3]
    vpcId  = data.aws_eks_cluster.this.vpc_config[0].vpc_id
    serviceAccount = {
      name        = "aws-load-balancer-controller"
      annotations = { "eks.amazonaws.com/role-arn" = aws_iam_role.this["load-balancer-controller"].arn }
    }
  })]

  depends_on = [aws_iam_role_policy_attachment.load_balancer_controller]
}

# Not the chart's, because Helm keeps its own notes of a release in the release's namespace.
resource "kubernetes_namespace_v1" "ledger" {
  metadata {
    name = var.namespace
    labels = {
      # The chart's pods meet the strictest of Kubernetes' own standards; this keeps it so.
      "pod-security.kubernetes.io/enforce" = "restricted"
      # A new Envoy counts as ready only once the load balancer reaches it.
      "elbv2.k8s.aws/pod-readiness-gate-inject" = "enabled"
    }
  }
}

resource "helm_release" "ledger" {
  name      = "ledger"
  namespace = kubernetes_namespace_v1.ledger.metadata[0].name
  chart     = "${path.module}/../chart"
  # Three instances become ready one after another, and each has five minutes to reach Kafka.
  timeout = 1200

  values = concat([file("${path.module}/../chart/values-eks.yaml")], var.values, [yamlencode({
    image          = var.image
    namespace      = { create = false }
    serviceAccount = { annotations = { "eks.amazonaws.com/role-arn" = aws_iam_role.this["ledger"].arn } }
  })])

  # Without its controller an Ingress waits for its address, and when both go, the Ingress must go first.
  depends_on = [helm_release.load_balancer_controller, aws_iam_role_policy_attachment.ledger]
}
