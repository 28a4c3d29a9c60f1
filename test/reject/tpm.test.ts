import { describe, it } from 'vitest'
import type { Code } from '../../src/core/codes.ts'
import {
  defaultRuntimeData,
  ecKey,
  hclKey,
  hclRuntimeData,
  rsaKey,
  TPM_FAULTS,
  type TpmFault,
  tpmMaker,
} from '../../src/testing/index.ts'
import type { RowId } from './catalogue.ts'
import { accepted, type Check, type OtherCode, refused, row } from './row.ts'
import { cpuPolicy, SEED } from './stage.ts'
import { judgedAzure, judgedTpm, tpm, tpmPolicy } from './tpm-stage.ts'

interface More {
  readonly how?: Parameters<typeof judgedTpm>[1]
  readonly twin?: Readonly<Record<string, Check>>
  readonly bad?: Readonly<Record<string, Check | OtherCode>>
  readonly codes?: Readonly<Partial<Record<TpmFault, Code>>>
  readonly about?: string
}

/** Every fault that the test kit has for this row, each beside the same quote without it. */
function kitRow(id: RowId, { how = {}, twin = {}, bad = {}, codes = {} }: More = {}): void {
  const twins: Record<string, Check> = { ...twin }
  const bads: Record<string, Check | OtherCode> = { ...bad }
  for (const [wrong, fault] of Object.entries(TPM_FAULTS) as [TpmFault, { row?: string }][]) {
    if (fault.row !== id) continue
    const check = () => judgedTpm({ wrong }, how)
    const code = codes[wrong]
    twins[wrong] = () => judgedTpm({}, how)
    bads[wrong] = code === undefined ? check : { code, check }
  }
  row(id, { twin: twins, bad: bads })
}

const PCR7 = { policy: tpmPolicy({ secureBoot: 'any', pcrs: { '7': [tpm().shown.sha256?.['7'] ?? ''] } }) }
const SEEN = {
  knownTpms: [{ akName: tpm().akName, activated: false, resetCount: 7, restartCount: 0 }],
}

describe('TPM quotes', () => {
  kitRow('RJ-TPM-01')
  kitRow('RJ-TPM-02')
  kitRow('RJ-TPM-03')
  kitRow('RJ-TPM-04')
  kitRow('RJ-TPM-05', { how: PCR7 })
  kitRow('RJ-TPM-06')
  kitRow('RJ-TPM-07')
  kitRow('RJ-TPM-08')
  kitRow('RJ-TPM-10')
})

describe('keys of TPMs', () => {
  const { certificates } = tpm({ wrong: 'foreign-maker' })
  const foreign = tpmMaker(`${SEED}/foreign`).root.der
  kitRow('RJ-TPM-11', {
    codes: { 'foreign-maker': 'X509_SIGNATURE_INVALID' },
    twin: {
      'foreign maker with his root': () => judgedTpm({}, {}, { certificates: [...tpm().certificates, tpm().root] }),
    },
    bad: {
      'foreign maker with his root': () => judgedTpm({}, {}, { certificates: [...certificates, foreign] }),
    },
  })
})

describe('event logs of TPMs', () => {
  kitRow('RJ-TPM-12')
  kitRow('RJ-TPM-13')
  kitRow('RJ-TPM-14', {
    twin: { 'no log': () => judgedTpm() },
    bad: { 'no log': () => judgedTpm({}, {}, { eventLog: null }) },
  })
  kitRow('RJ-TPM-15', {
    how: SEEN,
    twin: { 'never seen': () => judgedTpm({}, { policy: tpmPolicy({ counters: 'known' }), ...SEEN }) },
    bad: { 'never seen': () => judgedTpm({}, { policy: tpmPolicy({ counters: 'known' }) }) },
  })
})

describe('the TPM of an Azure VM', () => {
  const AK = hclKey('HCLAkPub', rsaKey('small-2048'))
  const OTHER_AK = hclKey('HCLAkPub', rsaKey('ark-milan'))
  const json =
    (text: string): Check =>
    () =>
      judgedAzure({ json: text })
  const BROKEN: Readonly<Record<string, string>> = {
    'keys twice': defaultRuntimeData().replace('"keys":', '"keys":[],"keys":'),
    'two of the name': hclRuntimeData([AK, AK]),
    'none of the name': hclRuntimeData([hclKey('HCLEkPub', rsaKey('small-2048'))]),
    'no keys': '{"vm-configuration":{}}',
    'no JSON': 'HCLAkPub',
    'a member of the key twice': hclRuntimeData([AK.replace('"kty":', '"kty":"EC","kty":')]),
    'an exponent of three': hclRuntimeData([AK.replace('AQAB', 'Aw')]),
    'a key on a curve': hclRuntimeData([AK.replace('RSA', 'EC')]),
  }
  row('RJ-TPM-09', {
    twin: () => judgedAzure(),
    bad: {
      'another HCLAkPub': json(hclRuntimeData([OTHER_AK])),
      'a quote by another TPM': () =>
        judgedAzure({ tpm: { signer: ecKey('P-256', 'another TPM'), key: 'ecdsa-p256' } }),
    },
  })
  row('RJ-TPM-16', {
    twin: () => judgedAzure({ json: hclRuntimeData([hclKey('HCLEkPub', rsaKey('ark-turin')), AK]) }),
    bad: Object.fromEntries(Object.entries(BROKEN).map(([name, text]) => [name, json(text)])),
  })
  it('answers in place of the CPU under a policy alone that relies on what the CPU report covers', async () => {
    const trusting = (akTrust: readonly string[]) => tpmPolicy({ akTrust: [...akTrust] })
    const certified = { isCertified: true }
    accepted(await judgedAzure(certified, { policy: trusting(['certificate', 'cpu-report']) }))
    for (const policy of [trusting(['certificate']), cpuPolicy()])
      refused(await judgedAzure(certified, { policy }), ['TPM_AK_UNTRUSTED'])
    // Where the CPU answers for itself, nothing rests on the TPM.
    accepted(await judgedTpm({}, { policy: cpuPolicy() }))
  })
  row('RJ-TPM-17', {
    twin: { data: () => judgedAzure(), tail: () => judgedAzure(), hash: () => judgedAzure({ hash: 'sha384' }) },
    bad: {
      data: () => judgedAzure({ covered: { json: defaultRuntimeData(rsaKey('ark-milan')) } }),
      tail: () => judgedAzure({ report: { reportData: new Uint8Array(64).fill(1) } }),
      hash: () => judgedAzure({ covered: { hash: 'sha384' } }),
    },
  })
})
