output "namespace" {
  description = "Where the ledger runs."
  value       = kubernetes_namespace_v1.ledger.metadata[0].name
}

output "ledger_role_arn" {
  description = "The IAM role of the ledger's ServiceAccount."
  value       = aws_iam_role.this["ledger"].arn
}

output "release_status" {
  description = "What Helm says of the ledger's release."
  value       = helm_release.ledger.status
}
