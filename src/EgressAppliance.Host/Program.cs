using System.Runtime.InteropServices;
using EgressAppliance.Host;
using EgressAppliance.Host.Cli;

using CancellationTokenSource stop = new();

// The first signal ends in order: overrides are withdrawn, sessions closed. A second one of the same kind ends at once.
void OnSignal(PosixSignalContext context)
{
    context.Cancel = !stop.IsCancellationRequested;
    stop.Cancel();
}

using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
return await CommandLine.RunAsync(args, new CommandHandlers(), stop.Token);
