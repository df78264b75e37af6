/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HWLEDGER_H
#define HWLEDGER_H

/* libhwledger: what a language model takes in memory on given devices under a given engine.
 * Open a model, describe devices, set options, plan, walk the entries. The library never prints, never exits,
 * reads no environment variables and keeps no global state: distinct objects, distinct threads. */
#include <hwledger/device.h>
#include <hwledger/error.h>
#include <hwledger/log.h>
#include <hwledger/model.h>
#include <hwledger/monitor.h>
#include <hwledger/plan.h>
#include <hwledger/probe.h>
#include <hwledger/search.h>
#include <hwledger/settings.h>
#include <hwledger/text.h>

#define HWLEDGER_VERSION "0.1.0"

#endif
