using EgressAppliance.Capture;
using EgressAppliance.Host.Cli;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Demo;

/// <summary><c>demo</c>: plugs the real appliance into the demo.</summary>
public static class DemoCommand
{
    /// <summary>Runs the command.</summary>
    public static async Task<int> RunAsync(Cli.DemoOptions options, CommandConsole console, CancellationToken cancellationToken)
    {
        DemoOptions demo = new() { Duration = options.Duration, Json = options.Json, Narration = options.Json ? console.Error : null, TerminalWidth = console.Width };
        if (options.Port is { } port)
        {
            demo = demo with { HttpPort = port };
        }

        using ILoggerFactory loggers = HostLogging.ForDemo();
        try
        {
            await DemoRunner.RunAsync(demo, StartAsync, console.Out, cancellationToken);
            return ExitCode.Done;
        }
        catch (DemoException e)
        {
            await console.Error.WriteLineAsync("demo: " + e.Message);
            return ExitCode.Failed;
        }

        async Task<IDemoAppliance> StartAsync(ApplianceConfig config, IReadOnlyList<IPacketSource> sources) =>
            new Running(await Appliance.StartAsync(config, loggers, TimeProvider.System, sources, cancellationToken));
    }

    private sealed class Running(Appliance appliance) : IDemoAppliance
    {
        public int HttpPort => appliance.HttpPort;

        public IApplianceApi Api => appliance.Api;

        public long CountedPackets => appliance.CountedPackets;

        public ValueTask DisposeAsync() => appliance.DisposeAsync();
    }
}
