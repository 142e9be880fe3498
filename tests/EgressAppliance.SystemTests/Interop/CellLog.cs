using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace EgressAppliance.SystemTests.Interop;

/// <summary>
/// What a cell of the matrix prints: kept, because cells run before their test asks for them, and given out then. It takes the speaker's log as well.
/// </summary>
internal sealed class CellLog : ITestOutputHelper, ILoggerFactory, ILogger
{
    // The speaker's messages on announcing and withdrawing.
    private const int AnnouncedId = 4051;
    private const int WithdrewId = 4052;

    private const int MostSpeakerLines = 200;

    private readonly ConcurrentQueue<string> _lines = new();
    private readonly ConcurrentQueue<string> _speakerLines = new();
    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>Everything so far.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>The speaker's lines.</summary>
    public IReadOnlyCollection<string> SpeakerLines => _speakerLines;

    /// <inheritdoc/>
    public void WriteLine(string message) =>
        _lines.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(_start).TotalSeconds,6:F2} {message}"));

    /// <inheritdoc/>
    public void WriteLine(string format, params object[] args) => WriteLine(string.Format(CultureInfo.InvariantCulture, format, args));

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => this;

    /// <inheritdoc/>
    public void AddProvider(ILoggerProvider provider)
    {
    }

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => true;

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Id is AnnouncedId or WithdrewId || _speakerLines.Count >= MostSpeakerLines)
        {
            // The row knows what it asked for, and one asks thousands of times; another loses hundreds of overrides at once.
            return;
        }

        string text = formatter(state, exception);
        _speakerLines.Enqueue(text);
        WriteLine($"speaker: {text}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
