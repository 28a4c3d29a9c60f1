import { drawnBytes, flipBit } from '../bytes.ts'
import { inEnclave, inHeader, inQuote } from './bend.ts'
import { faultTable, type IntelFaultEntry, type IntelPlan } from './plan.ts'
import { quoteOffsets } from './quote.ts'
import type { SgxReport } from './report-fields.ts'

const enclave = (
  what: string,
  row: string,
  stage: IntelFaultEntry['stage'],
  fields: SgxReport | ((report: SgxReport) => SgxReport),
): IntelFaultEntry => ({
  what,
  stage,
  rows: [row],
  bend: inEnclave((plan) => (typeof fields === 'function' ? fields(reportOf(plan)) : fields)),
})

function reportOf({ quote: { body } }: IntelPlan): SgxReport {
  if (body.kind !== 'sgx') throw new TypeError('a TD has no enclave report')
  return body.report
}

const attribute = (bit: number, what: string, row: string) =>
  enclave(what, row, 'appraisal', ({ attributes = new Uint8Array(16) }) => ({ attributes: flipBit(attributes, bit) }))

/** A byte of the report that no field covers. */
const reserved = (offset: number): IntelFaultEntry => ({
  what: `reserved byte ${offset} of the report set, correctly signed`,
  stage: 'decode',
  rows: ['RJ-SGX-04'],
  bend: inQuote((plan) => ({
    patches: [...plan.quote.patches, { offset: quoteOffsets(plan.quote).body + offset, bytes: [1] }],
  })),
})

/** A field that only an enclave with key separation and sharing has, in one that has not. */
const kss = (what: string, fields: SgxReport) => enclave(`${what} set without KSS`, 'RJ-SGX-04', 'appraisal', fields)

/** Faults that only an enclave can have. */
export const SGX_ONLY_FAULTS = faultTable({
  'sgx-debug': attribute(1, 'an enclave that may be debugged', 'RJ-SGX-02'),
  'sgx-not-initialised': attribute(0, 'an enclave that is not initialised', 'RJ-SGX-02'),
  'sgx-attribute-reserved': attribute(3, 'a reserved attribute set', 'RJ-SGX-04'),
  'sgx-provision-key': attribute(4, 'an enclave with the provisioning key', 'RJ-SGX-03'),
  'sgx-einittoken-key': attribute(5, 'an enclave with the launch key', 'RJ-SGX-03'),
  'sgx-reserved-20': reserved(20),
  'sgx-reserved-31': reserved(31),
  'sgx-reserved-96': reserved(96),
  'sgx-reserved-127': reserved(127),
  'sgx-reserved-160': reserved(160),
  'sgx-reserved-191': reserved(191),
  'sgx-reserved-262': reserved(262),
  'sgx-reserved-303': reserved(303),
  'sgx-kss-extprodid': kss('ISVEXTPRODID', { isvExtProdId: drawnBytes('intel', 'all', 'extprodid', 16) }),
  'sgx-kss-configid': kss('CONFIGID', { configId: drawnBytes('intel', 'all', 'configid', 64) }),
  'sgx-kss-configsvn': kss('CONFIGSVN', { configSvn: 1 }),
  'sgx-kss-familyid': kss('ISVFAMILYID', { isvFamilyId: drawnBytes('intel', 'all', 'familyid', 16) }),
  'mrenclave-other': enclave(
    'one bit of MRENCLAVE off',
    'RJ-SGX-03',
    'appraisal',
    ({ mrEnclave = new Uint8Array(32) }) => ({
      mrEnclave: flipBit(mrEnclave, 0),
    }),
  ),
  'mrsigner-other': enclave(
    'one bit of MRSIGNER off',
    'RJ-SGX-03',
    'appraisal',
    ({ mrSigner = new Uint8Array(32) }) => ({
      mrSigner: flipBit(mrSigner, 0),
    }),
  ),
  'isvprodid-other': enclave('another product of the same signer', 'RJ-SGX-03', 'appraisal', ({ isvProdId = 0 }) => ({
    isvProdId: isvProdId + 1,
  })),
  'isvsvn-lower': enclave('an older version of the enclave', 'RJ-SGX-03', 'appraisal', ({ isvSvn = 1 }) => ({
    isvSvn: isvSvn - 1,
  })),
  'report-data-other': enclave('another report data than was asked for', 'RJ-BIND-01', 'match', {
    reportData: drawnBytes('intel', 'all', 'other report data', 64),
  }),
  'version-4-in-version-3': {
    what: 'a quote of the shape of version 3 that calls itself version 4',
    stage: 'decode',
    rows: ['RJ-SGX-01'],
    needs: { version: 3 },
    bend: inHeader({ version: 4 }),
  },
  'body-short': {
    what: 'a report body that is 4 bytes short',
    stage: 'decode',
    rows: ['RJ-SGX-01'],
    bend: inQuote((plan) => ({
      afterSigning: (quote) => {
        const { body, authLength } = quoteOffsets(plan.quote)
        return Uint8Array.from([
          ...quote.subarray(0, body),
          ...quote.subarray(body + 4, authLength),
          ...quote.subarray(authLength),
        ])
      },
    })),
  },
})
