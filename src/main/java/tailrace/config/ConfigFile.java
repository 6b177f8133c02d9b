package tailrace.config;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * Reads one YAML file of flat keys. It stops at the node tree, because that still knows the line of everything and the
 * text as it was written ({@code 010} is no octal here).
 */
final class ConfigFile {
    /** More than a hundred times the documented defaults; it is a configuration, not data. */
    private static final long MAX_BYTES = 1 << 20;

    private final String name;
    private final List<String> problems;
    private final Map<ConfigKey, Setting> settings = new EnumMap<>(ConfigKey.class);

    private ConfigFile(String name, List<String> problems) {
        this.name = name;
        this.problems = problems;
    }

    /** The file's settings; what is wrong with it is added to {@code problems}. */
    static Map<ConfigKey, Setting> read(Path file, List<String> problems) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                problems.add(file + ": larger than " + Quantity.format(MAX_BYTES) + ", which no configuration is");
                return Map.of();
            }
            return parse(file.toString(), Files.readString(file, StandardCharsets.UTF_8), problems);
        } catch (CharacterCodingException e) {
            problems.add(file + ": is not UTF-8");
        } catch (IOException e) {
            problems.add(file + ": cannot be read (" + e.getClass().getSimpleName() + ")");
        }
        return Map.of();
    }

    static Map<ConfigKey, Setting> parse(String name, String yaml, List<String> problems) {
        ConfigFile file = new ConfigFile(name, problems);
        try {
            new Compose(LoadSettings.builder().setLabel(name).build())
                    .composeString(yaml)
                    .ifPresent(file::root);
        } catch (MarkedYamlEngineException e) {
            // Not getMessage(): it quotes the line, which may hold a secret.
            String at = e.getProblemMark()
                    .map(mark -> name + ":" + (mark.getLine() + 1))
                    .orElse(name);
            problems.add(at + ": is not YAML: " + e.getProblem());
        } catch (YamlEngineException e) {
            problems.add(name + ": is not YAML");
        }
        return file.settings;
    }

    private void root(Node node) {
        if (node instanceof MappingNode mapping) {
            mapping.getValue().forEach(this::tuple);
        } else if (!(node instanceof ScalarNode scalar && scalar.getTag().equals(Tag.NULL))) {
            problems.add(at(node) + ": expected lines of the form key: value");
        }
    }

    private void tuple(NodeTuple tuple) {
        if (!(tuple.getKeyNode() instanceof ScalarNode keyNode)) {
            problems.add(at(tuple.getKeyNode()) + ": a key must be plain text");
            return;
        }
        String where = at(keyNode);
        ConfigKey key = ConfigKey.named(keyNode.getValue());
        if (key == null) {
            problems.add(Setting.shown(keyNode.getValue()) + " (" + where + "): unknown key"
                    + ConfigKey.nearest(keyNode.getValue())
                            .map(near -> ", did you mean " + near + "?")
                            .orElse(""));
            return;
        }
        List<String> values = values(tuple.getValueNode());
        if (values == null) {
            problems.add(key + " (" + where + "): must be a plain value"
                    + (key.list() ? " or a list of them" : ", not a list or a mapping"));
            return;
        }
        Setting before = settings.put(key, new Setting(key, values, where));
        if (before != null) {
            problems.add(key + " (" + where + "): stands twice, first at " + before.origin());
        }
    }

    private static @Nullable List<String> values(Node node) {
        if (node instanceof ScalarNode scalar) {
            return scalar.getTag().equals(Tag.NULL) || scalar.getValue().isBlank()
                    ? List.of()
                    : List.of(scalar.getValue());
        }
        if (!(node instanceof SequenceNode sequence)) {
            return null;
        }
        List<String> values = new ArrayList<>();
        for (Node item : sequence.getValue()) {
            if (!(item instanceof ScalarNode scalar)) {
                return null;
            }
            values.add(scalar.getValue());
        }
        return values;
    }

    private String at(Node node) {
        return Optional.of(node)
                .flatMap(Node::getStartMark)
                .map(mark -> name + ":" + (mark.getLine() + 1))
                .orElse(name);
    }
}
