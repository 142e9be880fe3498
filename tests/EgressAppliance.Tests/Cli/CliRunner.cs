using EgressAppliance.Host.Cli;

namespace EgressAppliance.Tests.Cli;

/// <summary>Runs command lines and keeps what they write.</summary>
internal sealed class CliRunner
{
    public FakeHandlers Handlers { get; } = new();

    public string Out { get; private set; } = "";

    public string Error { get; private set; } = "";

    public static CommandConsole Console(TextWriter output, TextWriter? error = null, int? width = null, bool color = false) => new()
    {
        Out = output,
        Error = error ?? TextWriter.Null,
        Width = width,
        Color = color,
        Time = new FixedTime(),
    };

    public async Task<int> RunAsync(params string[] args)
    {
        using StringWriter output = new() { NewLine = "\n" };
        using StringWriter error = new() { NewLine = "\n" };
        int code = await CommandLine.RunAsync(args, Handlers, Console(output, error), CancellationToken.None);
        Out = output.ToString();
        Error = error.ToString();
        return code;
    }

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 1, 2, 4, 0, 0, TimeSpan.Zero);
    }
}
