import { toHex } from '../../core/encodings.ts'
import type { PckClaims } from '../claims.ts'
import type { AuthenticPck } from './pck.ts'

const SGX_TYPES = ['Standard', 'Scalable', 'ScalableWithIntegrity'] as const

/** What a PCK certificate says, in the common vocabulary. */
export const toPckClaims = ({ extension, ca }: Pick<AuthenticPck, 'extension' | 'ca'>): PckClaims => ({
  ppid: toHex(extension.ppid),
  fmspc: toHex(extension.fmspc),
  pceId: toHex(extension.pceId),
  pceSvn: extension.pceSvn,
  sgxTcbComponents: extension.components,
  sgxType: SGX_TYPES[extension.sgxType],
  platformInstanceId: extension.platformInstanceId === undefined ? undefined : toHex(extension.platformInstanceId),
  ca,
  dynamicPlatform: extension.dynamicPlatform,
  cachedKeys: extension.cachedKeys,
  smtEnabled: extension.smtEnabled,
})
