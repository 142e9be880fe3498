using EgressAppliance.Host.Systemd;
using Microsoft.Extensions.Logging.Console;

namespace EgressAppliance.Host;

/// <summary>Where logs go: under systemd to the journal, with fields; else to standard error, as readable lines with the time.</summary>
public static class HostLogging
{
    /// <summary>The log of a running appliance.</summary>
    public static ILoggerFactory ForService() => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(LogLevel.Information);

        // The web server tells four lines of every request: the page alone makes several a minute.
        builder.AddFilter("Microsoft", LogLevel.Warning);
        if (JournalLoggerProvider.IsStandardErrorOfJournal && File.Exists(JournalSocket.DefaultPath))
        {
            builder.Services.AddSingleton<ILoggerProvider>(_ => new JournalLoggerProvider(new JournalSocket()));
        }
        else if (Environment.GetEnvironmentVariable("JOURNAL_STREAM") is null)
        {
            builder.AddSimpleConsole(o =>
            {
                o.SingleLine = true;
                o.TimestampFormat = "HH:mm:ss.fff ";
                o.UseUtcTimestamp = true;
                o.ColorBehavior = LoggerColorBehavior.Disabled;
            });
        }
        else
        {
            // Whoever redirected it gets the priorities in the lines.
            builder.AddSystemdConsole();
        }

        builder.Services.Configure<ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
    });

    /// <summary>The log of the demo: what goes wrong, since the terminal tells the story itself.</summary>
    public static ILoggerFactory ForDemo() => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(LogLevel.Warning);
        builder.AddSimpleConsole(o => o.SingleLine = true);
        builder.Services.Configure<ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
    });
}
