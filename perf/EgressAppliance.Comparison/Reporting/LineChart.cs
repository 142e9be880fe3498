using System.Xml.Linq;

namespace EgressAppliance.Comparison.Reporting;

/// <summary>A series of values over a count from 1, each a line, as SVG.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Color">Number of its colour; series that belong together share one.</param>
/// <param name="Dashed">Drawn with gaps.</param>
/// <param name="Values">Its values.</param>
internal sealed record LineSeries(string Name, int Color, bool Dashed, IReadOnlyList<double> Values);

/// <summary>Lines over a count from 1, as SVG.</summary>
internal static class LineChart
{
    private const int Width = 900;
    private const int Height = 420;
    private const int Left = 70;
    private const int Right = 30;
    private const int Top = 90;
    private const int Bottom = 50;

    /// <summary>Writes the chart.</summary>
    /// <param name="path">The SVG file.</param>
    /// <param name="title">Its title.</param>
    /// <param name="across">Label of the count.</param>
    /// <param name="unit">Label of the values.</param>
    /// <param name="series">The lines.</param>
    public static void Write(string path, string title, string across, string unit, IReadOnlyList<LineSeries> series)
    {
        double greatest = series.SelectMany(s => s.Values).Max();
        double step = Svg.TickStep(greatest);
        double most = Math.Ceiling(greatest / step) * step;
        int count = series.Max(s => s.Values.Count);
        double X(int index) => Left + ((Width - Left - Right) * (count == 1 ? 0.5 : (double)index / (count - 1)));
        double Y(double value) => Height - Bottom - ((Height - Top - Bottom) * value / most);
        XElement svg = Svg.Picture(Width, Height, title);
        for (int i = 0; i <= (int)Math.Round(most / step); i++)
        {
            svg.Add(Svg.Rectangle(Left, Y(i * step), Width - Left - Right, 1, "#dddddd"), Svg.Text(Left - 8, Y(i * step) + 4, Svg.Number(i * step), "end"));
        }

        for (int i = 0; i < count; i++)
        {
            svg.Add(Svg.Text(X(i), Height - Bottom + 18, $"{i + 1}", "middle"));
        }

        svg.Add(Svg.Text(Left + ((Width - Left - Right) / 2), Height - 12, across, "middle"), Svg.Text(Left, Top - 12, unit, "middle"));
        for (int s = 0; s < series.Count; s++)
        {
            string color = Svg.Colors[series[s].Color % Svg.Colors.Length];
            int legend = Left + (s * 210);
            svg.Add(Svg.Line([(legend, 52), (legend + 30, 52)], color, series[s].Dashed), Svg.Text(legend + 38, 56, series[s].Name, "start"));
            svg.Add(Svg.Line(series[s].Values.Select((value, i) => (X(i), Y(value))), color, series[s].Dashed));
        }

        File.WriteAllText(path, svg + "\n");
    }
}
