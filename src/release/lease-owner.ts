import { isLeaseId } from '../decision/credential/lease-id.ts'

/** The account that a lease belongs to, where tenants are named by their account; undefined for what is no lease. */
export const leaseOwner = (workload: string): string | undefined =>
  isLeaseId(workload) ? workload.split('/')[0] : undefined
