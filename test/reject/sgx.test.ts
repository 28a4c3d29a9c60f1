import { describe } from 'vitest'
import { toHex } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import {
  enclave,
  inSlot,
  judgedEnclave,
  judgedIntel,
  sgxKitRow as kitRow,
  MR_ENCLAVE,
  sgxDocument,
  sgxPolicy,
} from './intel-stage.ts'
import { type Check, row } from './row.ts'

const ENCLAVE = enclave()
const good = () => judgedEnclave()
const shown = (quote: Uint8Array) => judgedIntel(ENCLAVE, { evidence: inSlot(quote, 'intel/sgx-quote') })

describe('an SGX quote', () => {
  kitRow('RJ-SGX-01', { codes: { 'version-4-in-version-3': 'SGX_CERT_DATA_INVALID' } })
  row('RJ-SGX-01', {
    about: 'every prefix',
    twin: good,
    bad: {
      '0': { code: 'ENV_EVIDENCE_EMPTY', check: () => shown(new Uint8Array()) },
      ...Object.fromEntries(
        Array.from({ length: ENCLAVE.quote.length - 1 }, (_, i): [string, Check] => [
          `${i + 1}`,
          () => shown(ENCLAVE.quote.subarray(0, i + 1)),
        ]),
      ),
    },
  })
  kitRow('RJ-SGX-02', { codes: { 'sgx-not-initialised': 'SGX_FORMAT_INVALID' } })
  kitRow('RJ-SGX-04')
})

describe('an enclave, and the one that the policy names', () => {
  const mrSigner = [toHex(ENCLAVE.expected.mrSigner ?? new Uint8Array())]
  const signed: JsonObject = { mrSigner, isvProdId: [7], minIsvSvn: 3 }
  kitRow('RJ-SGX-03', {
    about: 'by MRENCLAVE',
    only: ['mrenclave-other', 'sgx-provision-key', 'sgx-einittoken-key'],
    codes: { 'sgx-provision-key': 'SGX_ATTRIBUTE_FORBIDDEN', 'sgx-einittoken-key': 'SGX_ATTRIBUTE_FORBIDDEN' },
  })
  kitRow('RJ-SGX-03', {
    about: 'by MRSIGNER, product and version',
    only: ['mrsigner-other', 'isvprodid-other', 'isvsvn-lower'],
    policy: sgxPolicy(signed),
  })
  row('RJ-SGX-03', {
    about: 'by MRSIGNER alone',
    twin: {
      'without product and version': () => parsePolicy(JSON.stringify(sgxDocument(signed))),
      'without version': () => parsePolicy(JSON.stringify(sgxDocument(signed))),
      'without product': () => parsePolicy(JSON.stringify(sgxDocument({ mrSigner, mrEnclave: [MR_ENCLAVE] }))),
    },
    bad: Object.fromEntries(
      Object.entries({
        'without product and version': { mrSigner },
        'without version': { mrSigner, isvProdId: [7] },
        'without product': { mrSigner, minIsvSvn: 3 },
      }).map(([name, rule]) => [
        name,
        { code: 'POLICY_MEASUREMENT_REQUIRED', check: () => parsePolicy(JSON.stringify(sgxDocument(rule))) },
      ]),
    ),
  })
})
