/**
 * Akash's ids as one text, fields in the order of the protos. A LeaseID is its OrderID with provider and bseq behind it, so an
 * order's text is the beginning of the text of every lease of it.
 *  OrderID  owner/dseq/gseq/oseq
 *  LeaseID  owner/dseq/gseq/oseq/provider/bseq
 * @see ../shared/spec/akash.md §1
 */
const ADDRESS = '[a-z0-9]{1,128}'
const NUMBER = '(?:0|[1-9][0-9]{0,19})'
const ORDER = new RegExp(`^${ADDRESS}(?:/${NUMBER}){3}$`)
const LEASE = new RegExp(`^${ADDRESS}(?:/${NUMBER}){3}/${ADDRESS}/${NUMBER}$`)

/** Whether the text has the four fields of an OrderID, numbers without leading zeros. */
export const isOrderId = (text: string): boolean => ORDER.test(text)

/** Whether the text has the six fields of a LeaseID. */
export const isLeaseId = (text: string): boolean => LEASE.test(text)

/** The order that a lease came from. */
export const orderOfLease = (lease: string): string => lease.split('/').slice(0, 4).join('/')

/** The address of the provider that a lease is with. */
export const providerOfLease = (lease: string): string => lease.split('/')[4] ?? ''
