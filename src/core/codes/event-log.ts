import type { CodeTable } from './entry.ts'

export const EVENT_LOG_CODES = {
  // Event logs: what was measured at run time.
  LIMIT_EVENT_LOG_BYTES: {
    verdict: 'reject',
    title: 'An event log is larger than the limit.',
    hint: 'Send the log of one boot as the guest has it: a CCEL area has 64 KiB to 1 MiB, a dstack log a few kilobytes. Leave out anything appended to it.',
  },
  LIMIT_EVENT_LOG_COUNT: {
    verdict: 'reject',
    title: 'An event log has more events than the limit, or a quote more logs than one.',
    hint: 'A boot measures some dozens of events. Restart a guest that kept extending its registers, and send one log with each quote.',
  },
  TDX_EVENT_LOG_MALFORMED: {
    verdict: 'reject',
    title: 'The event log cannot be read as a CCEL area or as a dstack log.',
    hint: 'Send the bytes of /sys/firmware/acpi/tables/data/CCEL, or the event_log of the dstack guest agent, unchanged. A log that was cut, joined from two boots or written for a TPM does not qualify.',
  },
  TDX_EVENT_LOG_MISMATCH: {
    verdict: 'reject',
    title: 'The events of the log do not add up to a register of the quote.',
    hint: 'The finding names the first register that differs. Take log and quote in one go, so that nothing is measured between them; where an application extends the register beside the log, have it append to the log as well.',
  },
  TDX_EVENT_DIGEST_MISMATCH: {
    verdict: 'reject',
    title: 'What the log says of an event is not what was measured.',
    hint: 'The digest of the event is not that of its name and payload. Send the log as the guest wrote it, and check that the declared version of the log, 1 or 2, is the one in its app-compose.json.',
  },
  TDX_EVENT_AFTER_BOUNDARY: {
    verdict: 'reject',
    title: 'An event under a name of the platform was measured after the platform had finished.',
    hint: 'After system-ready, and in firmware after the separator, anybody in the guest can measure events of any name. Remove whatever in the guest emits events under the names of dstack or of the firmware.',
  },
  TDX_EVENT_DUPLICATE: {
    verdict: 'reject',
    title: 'An event that happens once is in the log twice.',
    hint: 'Each name of the platform is measured exactly once in a boot. Send the log of one boot, and use a guest image whose boot measures no name twice.',
  },
  TDX_EVENT_MISSING: {
    verdict: 'reject',
    title: 'The log lacks an event that every boot of this kind measures.',
    hint: 'Take the quote after the guest reported system-ready, from a dstack version that measures app-id, compose-hash, instance-id and key-provider. The finding names the event that is missing.',
  },
  TDX_EVENT_PAYLOAD_INVALID: {
    verdict: 'reject',
    title: 'The payload of an event is not of the form that its name has.',
    hint: 'The event was measured like this, so the log is not to blame. Use a guest image that writes the event as published, or report the new form.',
  },
  TDX_EVENT_SEPARATOR_INVALID: {
    verdict: 'reject',
    title: 'The separator that ends the measurements of the firmware is missing, doubled or marks an error.',
    hint: 'Firmware measures one separator in RTMR0 and one in RTMR1 before it starts the boot loader. Boot again with released firmware; a second separator is how events of the system are passed off as events of the firmware.',
  },
  TDX_COMPOSE_MISMATCH: {
    verdict: 'reject',
    title: 'The compose file is not the one that the guest was launched with.',
    hint: 'The SHA-256 of app-compose.json, the compose-hash event and MRCONFIGID must agree. Pass the file byte for byte as it was deployed, and quote the guest that runs it.',
  },
} as const satisfies CodeTable
