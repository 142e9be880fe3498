namespace EgressAppliance.Host.Cli;

/// <summary>Where a command reads and writes; tests give it strings.</summary>
public sealed class CommandConsole
{
    /// <summary>Results.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Errors and progress.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Opens standard input, for file arguments given as <c>-</c>.</summary>
    public Func<Stream> OpenInput { get; init; } = () => Stream.Null;

    /// <summary>Columns of the terminal; null where output is not a terminal, and so nothing is cut off.</summary>
    public int? Width { get; init; }

    /// <summary>Lines of the terminal; null where output is not a terminal.</summary>
    public int? Height { get; init; }

    /// <summary>The key that was typed since it was last asked, or null; never waits.</summary>
    public Func<char?> ReadKey { get; init; } = () => null;

    /// <summary>True where colour may be used: a terminal, and NO_COLOR is not set.</summary>
    public bool Color { get; init; }

    /// <summary>True where progress may be shown: standard error is a terminal.</summary>
    public bool ShowProgress { get; init; }

    /// <summary>The clock that ages are shown by.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The process's own console.</summary>
    public static CommandConsole ForProcess()
    {
        bool terminal = !Console.IsOutputRedirected;
        return new CommandConsole
        {
            Out = Console.Out,
            Error = Console.Error,
            OpenInput = Console.OpenStandardInput,
            ShowProgress = !Console.IsErrorRedirected,
            Width = terminal ? TerminalWidth() : null,
            Height = terminal && Console.WindowHeight is > 0 and var height ? height : null,
            ReadKey = () => !Console.IsInputRedirected && Console.KeyAvailable ? Console.ReadKey(intercept: true).KeyChar : null,
            // https://no-color.org: any value that is not empty.
            Color = terminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") != "dumb",
        };
    }

    private static int? TerminalWidth()
    {
        int width = Console.WindowWidth;
        return width > 0 ? width : null;
    }
}
