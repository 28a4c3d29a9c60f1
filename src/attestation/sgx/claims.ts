import { toHex } from '../../core/encodings.ts'
import type { SgxClaims } from '../claims.ts'
import type { ProvedQuote } from '../dcap/verify.ts'
import type { Authentic } from '../kind.ts'
import type { SgxQuote } from './decode.ts'

/** A proved SGX quote in the common vocabulary. */
export function toSgxClaims({ value: { report, pck, tcb } }: Authentic<ProvedQuote<SgxQuote>>): SgxClaims {
  const { quote, enclave, debug, provisionKey, einitTokenKey, kss } = report
  return {
    kind: 'intel/sgx-quote',
    quoteVersion: quote.version,
    cpuSvn: toHex(enclave.cpuSvn),
    miscSelect: enclave.miscSelect.toString(16).padStart(8, '0'),
    flags: toHex(enclave.attributes.subarray(0, 8)),
    xfrm: toHex(enclave.attributes.subarray(8)),
    debug,
    provisionKey,
    einitTokenKey,
    kss,
    mrEnclave: toHex(enclave.mrEnclave),
    mrSigner: toHex(enclave.mrSigner),
    isvProdId: enclave.isvProdId,
    isvSvn: enclave.isvSvn,
    isvExtProdId: toHex(enclave.isvExtProdId),
    configId: toHex(enclave.configId),
    configSvn: enclave.configSvn,
    isvFamilyId: toHex(enclave.isvFamilyId),
    reportData: toHex(enclave.reportData),
    pck,
    tcb,
  }
}
