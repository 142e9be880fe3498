using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;

namespace EgressAppliance.Tests.Cli;

/// <summary>Records the options it is called with.</summary>
internal sealed class FakeHandlers : ICommandHandlers
{
    public object? Options { get; private set; }

    public int Code { get; set; }

    public IReadOnlyList<SetupCheck> Setup { get; set; } = [];

    public Task<int> RunAsync(RunOptions options, CommandConsole console, CancellationToken cancellationToken) => Record(options);

    public Task<int> DemoAsync(DemoOptions options, CommandConsole console, CancellationToken cancellationToken) => Record(options);

    public Task<int> ReplayAsync(ReplayCommandOptions options, CommandConsole console, CancellationToken cancellationToken) => Record(options);

    public Task<int> PlanAsync(PlanCommandOptions options, CommandConsole console, CancellationToken cancellationToken) => Record(options);

    public Task<int> SimulateAsync(SimulateCommandOptions options, CommandConsole console, CancellationToken cancellationToken) => Record(options);

    public Task<int> ReplayJournalAsync(ReplayJournalOptions options, CommandConsole console, CancellationToken cancellationToken) => Record(options);

    public Task<int> BgpDecodeAsync(BgpDecodeOptions options, CommandConsole console, CancellationToken cancellationToken) => Record(options);

    public Task<IReadOnlyList<SetupCheck>> CheckSetupAsync(ApplianceConfig config, CancellationToken cancellationToken) => Task.FromResult(Setup);

    private Task<int> Record(object options)
    {
        Options = options;
        return Task.FromResult(Code);
    }
}
